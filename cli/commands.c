/* Owns the table of commands and the text of each `annotate COMMAND --help`. Holds no code. */
#include "cli/commands.h"

#include <stddef.h>

#define MIGRATE_HELP                                                                               \
    "Applies the migrations that are compiled into this program to the database of --db-owner, "   \
    "in\n"                                                                                         \
    "order, each in a transaction of its own, under a lock, so that several may be started at "    \
    "once.\n"                                                                                      \
    "It stops before changing anything when an applied migration differs from the one in this\n"   \
    "program, or when the database is newer than this program. Run it before a new server "        \
    "starts.\n\n"                                                                                  \
    "  --dry-run\n        name the migrations that would be applied; change nothing\n"             \
    "  --status\n        name all migrations and whether they are applied; exit status 0 only "    \
    "when\n        a server of this version would start\n"                                         \
    "  --restored\n        this database was restored from a dump, or moved by pg_upgrade: its "   \
    "events get\n        transaction numbers of this cluster, and statistics are counted again; "  \
    "one\n        transaction, long when there are many. Then start annotate-stream with "         \
    "from-start\n"

#define TENANT_HELP                                                                                \
    "A tenant is a customer with projects and users of its own; none sees another's.\n\n"          \
    "  create NAME\n        make one and print its number\n"                                       \
    "  list\n        number, name and time of making, a line each\n"                               \
    "  quota NAME\n        set what it may use at most, if any option is given, and print what "   \
    "it may use and\n        uses, a line each\n"                                                  \
    "  delete NAME --yes\n        end it with all it has: logins first, then media, labels and "   \
    "rows, in bounded\n        steps that are told on stderr; run it again when it was "           \
    "stopped\n\n"                                                                                  \
    "  --projects N, --users N, --tasks N, --bytes N, --tokens N\n        with quota: at most so " \
    "many projects and users in use, tasks, stored bytes (media\n        and labels), API tokens " \
    "of "                                                                                          \
    "a user; none: no limit. What people typed is always taken\n"                                  \
    "  --if-missing\n        with create: when there is one of that name, print its number, exit " \
    "status 0\n"

#define USER_HELP                                                                                  \
    "Users log in with e-mail and password; a worker's user has no password but an API token\n"    \
    "(`annotate token`). An address belongs to one user, whatever the tenant.\n\n"                 \
    "  create    make a user and print its number\n"                                               \
    "  password  set a user's password\n"                                                          \
    "  list      number, address, name, and what is special, a line each\n\n"                      \
    "  --tenant NAME\n        the tenant of the user\n"                                            \
    "  --email ADDRESS\n        what the user logs in with\n"                                      \
    "  --name NAME\n        what others see\n"                                                     \
    "  --admin\n        administers the tenant: may make users and projects\n"                     \
    "  --password-file FILE\n        the file's first line is the password (8 characters to 511 "  \
    "bytes); - "                                                                                   \
    "is standard input\n"                                                                          \
    "  --no-password\n        no login by password\n"                                              \
    "  --if-missing\n        with create: when there is one of that address, leave it as it is, "  \
    "print\n        its number, exit status 0\n\n"                                                 \
    "Without --password-file and --no-password the terminal asks for it.\n"

#define TOKEN_HELP                                                                                 \
    "An API token acts as its user until it is revoked. It is written once, to a new file that "   \
    "only\nits owner may read; the database keeps its hash.\n\n"                                   \
    "  create      make a token and print its number\n"                                            \
    "  list        number, user, name, time of making, a line each\n"                              \
    "  revoke ID   end a token, at once and for good\n\n"                                          \
    "  --tenant NAME\n        the tenant of the user\n"                                            \
    "  --email ADDRESS\n        the user that the token acts as\n"                                 \
    "  --name NAME\n        what it is for\n"                                                      \
    "  --out FILE\n        where it goes; must not exist\n"

#define IMPORT_HELP                                                                                     \
    "PATH is one of:\n"                                                                                 \
    "  a file of tasks   a JSON array or one task a line, in Label Studio's form: "                     \
    "{\"data\":{…}}\n"                                                                                \
    "                    with external_id, meta, priority, predictions, annotations if wanted,\n"       \
    "                    or the data object alone. It is streamed as it is.\n"                          \
    "  a directory       each image in it, and below, becomes an asset and a task whose\n"              \
    "                    external_id is its path below the directory.\n"                                \
    "  a data set        with --format: a directory, or a zip, tar, tar.gz or tar.zst, of "             \
    "another\n"                                                                                         \
    "                    tool. Each picture becomes a task with its label; all is checked "             \
    "before\n"                                                                                          \
    "                    anything is sent. See docs/formats.md.\n\n"                                    \
    "A task whose external_id the project knows is skipped, so a repeated import adds nothing "         \
    "twice.\n"                                                                                          \
    "Prints {\"created\":…,\"skipped\":…,\"failed\":…}; what was refused is named on stderr.\n\n" \
    "  --project ID\n        the project to add to; you must be its manager\n"                          \
    "  --field NAME\n        the key of an image's address in data, as the label config's $NAME\n"      \
    "        (default: image); a data set's is that of the config's first <Image>\n"                    \
    "  --parallel N\n        connections that upload images at once, 1 to 64 (default: 8)\n"            \
    "  --format FORMAT\n        coco, yolo, yolo-segment, yolo-obb, yolo-pose, voc, cvat, "             \
    "label-studio\n"                                                                                    \
    "  --split NAME\n        only this part of the data set: train\n"                                   \
    "  --map OLD=NEW,…\n        other names for labels\n"                                             \
    "  --as annotations|predictions\n        what the labels become (default: annotations)\n"           \
    "  --model NAME\n        who predicted (default: the format's name)\n"                              \
    "  --errors refuse|skip\n        refuse: one bad picture, and nothing is imported "                 \
    "(default);\n"                                                                                      \
    "        skip: bad ones are named and left out\n"                                                   \
    "  --from s3:https://HOST/BUCKET[/PREFIX][?region=REGION]\n        the data set below "             \
    "PREFIX/ "                                                                                          \
    "of a bucket, in place of PATH; see docs/bucket.md\n"                                               \
    "  --allow-private\n        the bucket's service may be at a private address, and without "         \
    "https\n"

#define RELEASE_HELP                                                                               \
    "A release is an immutable manifest of a project's labels. Its root hash is its\n"             \
    "identity: the same content has the same root. Each is printed as a line of JSON.\n\n"         \
    "  create        cut one from the tasks that are done now, or from those that a filter "       \
    "takes\n"                                                                                      \
    "  show ID       print one\n"                                                                  \
    "  list          print a project's\n"                                                          \
    "  diff A B      what differs: + added, - removed, ~ changed, then the counts\n"               \
    "  card ID       the data card as Markdown: labels, splits, annotators, agreement, models\n"   \
    "  protect ID    it cannot be deleted (as it is from the beginning)\n"                         \
    "  unprotect ID  it can\n"                                                                     \
    "  delete ID     delete one that is not protected\n\n"                                         \
    "  --project ID\n        the project\n"                                                        \
    "  --name NAME\n        a name that the project has not used\n"                                \
    "  --split NAME=SHARE,…\n        parts of the data set, adding up to 1 (the server's "       \
    "default:\n        train=0.8,val=0.1,test=0.1)\n"                                              \
    "  --salt TEXT\n        what the split is drawn by; the same salt gives the same split\n"      \
    "  --filter JSON\n        which tasks, in the language of the search (default: the done)\n"    \
    "  --group-by PATH\n        tasks with one value at this data path, like data.patient, share " \
    "a split\n"                                                                                    \
    "  --pin-by PATH\n        a value at this data path that names a split decides\n"              \
    "  --description TEXT, --licence TEXT\n        for the data card\n"                            \
    "  --unprotected\n        it may be deleted\n"                                                 \
    "  --wait\n        wait until it is ready; exit status 1 when it fails\n"                      \
    "  --json\n        of diff and card: as the API gives it\n"                                    \
    "  --people\n        of card: who annotated how much; you must be a manager\n"

#define LABEL_HELP                                                                                 \
    "Every version of a task's label is kept; none is ever overwritten. What is written for "      \
    "people\nis coloured on a terminal, unless NO_COLOR is set.\n\n"                               \
    "  list --task ID\n        a task's versions, oldest first: id, number, kind, who or which "   \
    "model, when, regions\n"                                                                       \
    "  show ID\n        a version with its content, as a line of JSON\n"                           \
    "  diff A B\n        what changed from A to B, two versions of one task's label, by region: "  \
    "removed (-),\n        added (+), moved, relabelled or answered otherwise (~)\n"               \
    "  blame --task ID\n        for each region, answer and relation the version that last "       \
    "changed it\n"                                                                                 \
    "  restore ID\n        make an old version the task's label again: a new version, which is "   \
    "reviewed\n\n"                                                                                 \
    "  --label ID\n        with blame: of this version instead of the task's label\n"              \
    "  --json\n        with list, diff and blame: the API's answer, on one line\n"

#define EXPORT_HELP                                                                                \
    "Streams a release to FILE in constant memory. While it is under way the file is called\n"     \
    "FILE.part; FILE appears only when all has come and is on disk. What was cut off is gone on "  \
    "with\nby the same command: an export has the same bytes every time.\n\n"                      \
    "  --release ID\n        a release that is ready\n"                                            \
    "  --format FORMAT\n        jsonl (a task with its label a line), label-studio (the JSON "     \
    "that Label "                                                                                  \
    "Studio exports),\n        label-studio-min, csv, conll, asr, rttm, coco, yolo, "              \
    "yolo-segment, yolo-obb, yolo-pose,\n        yolo-classify, voc, cvat, cvat-video, masks, "    \
    "imagefolder, "                                                                                \
    "webdataset\n"                                                                                 \
    "  --out FILE\n        where to; - is standard output\n"                                       \
    "  --dir DIRECTORY\n        or: plain files in a directory that is not there yet\n"            \
    "  --container KIND\n        file: the one file as it is; tar, tar.zst, zip: an archive with " \
    "EXPORT.json, which says what\n"                                                               \
    "        it holds and what the format could not carry (default: as FILE ends; zip where "      \
    "there are several files)\n"                                                                   \
    "  --media\n        with the pictures, sounds and films\n"                                     \
    "  --labelled\n        without tasks whose label is empty\n"                                   \
    "  --job\n        have it made in the background and kept for a week, wait for it, then "      \
    "fetch it\n"

#define CONSUME_HELP                                                                               \
    "Reads what annotate-stream wrote, from the beginning: from Kafka as a careful consumer "      \
    "does\n"                                                                                       \
    "(read_committed), or from the files of its file sink.\n\n"                                    \
    "  --kafka HOST:PORT,…\n        a broker or more\n"                                          \
    "  --file DIRECTORY\n        what --sink file:DIRECTORY names\n"                               \
    "  --topic events|labels|releases\n        print its records, a line of JSON each: topic, "    \
    "key, headers, value\n"                                                                        \
    "  --follow\n        at the end wait for more, until interrupted\n"                            \
    "  --verify\n        check the whole stream instead: nothing twice, every task's versions in " \
    "order and\n"                                                                                  \
    "        without a gap, the labels those of the tasks that are done, every release with its "  \
    "items\n"                                                                                      \
    "        and root; print the sum as a line of JSON, exit status 1 when something is wrong\n"

#define STORAGE_HELP                                                                               \
    "Keeps the blob storage, with the workers' database role. annotate-upkeep does all of this "   \
    "the\ntime, a little at once; these do it now. Results are lines of JSON.\n\n"                 \
    "  copy    copy all that the database refers to from one storage to another, each held "       \
    "against its\n          hash; what is there is read back and passed over, so it may be "       \
    "stopped and run\n          again; exit status 1 when anything could not be copied\n"          \
    "  gc      remove what nothing needs: what a crash or a lost race left behind, and packs\n"    \
    "          whose documents were merged into larger ones\n"                                     \
    "  scrub   read everything and hash it again, round and round; what is missing or is not "     \
    "what\n"                                                                                       \
    "          was stored is named on stderr; exit status 1 when there is any\n"                   \
    "  status  what a scrub has found and is still so, a line each, and how many packs there "     \
    "are;\n"                                                                                       \
    "          exit status 1 when there is a finding\n\n"                                          \
    "  --from SPEC, --to SPEC\n        copy: as --blobs takes them; see docs/storage.md\n"         \
    "  --dry-run\n        gc: only say what there is to remove\n"                                  \
    "  --grace SECONDS\n        gc: how long nothing may have needed it (default: "                \
    "--collect-grace-s);\n        below 900 only while no server or worker runs\n"                 \
    "  --rate BYTES\n        scrub: how much to read in a second (default: as much as there is)\n" \
    "  --once\n        scrub: once through all of it\n"

#define SYNC_HELP                                                                                         \
    "Lists a bucket of an S3 service, copies what is new into the storage, and makes a task of\n"         \
    "each new picture, sound, film, text or PDF (by the end of its name). Run it again whenever\n"        \
    "there may be more, or when it was stopped: nothing comes twice. See docs/bucket.md.\n\n"             \
    "Prints {\"objects\":…,\"new\":…,\"created\":…,\"known\":…,\"changed\":…,\"failed\":…,\n" \
    "\"left_out\":…,\"bytes\":…}; what failed is named on stderr (exit status 1), and the next "      \
    "run\n"                                                                                               \
    "tries it again.\n\n"                                                                                 \
    "  --project ID\n        the project to add to; you must be its manager\n"                            \
    "  --from s3:https://HOST/BUCKET[/PREFIX][?region=REGION]\n        what lies below PREFIX/; "         \
    "the key is in --s3-access-key-file\n        and --s3-secret-key-file\n"                              \
    "  --match GLOB\n        only objects whose path below PREFIX is like this; * matches "               \
    "slashes, "                                                                                           \
    "too: '*.jpg'\n"                                                                                      \
    "  --field NAME\n        the key of the address in data (default: that which the label "              \
    "config "                                                                                             \
    "shows;\n        what it does not show is left out; with --field all media are taken)\n"              \
    "  --changed report|new\n        of an object that was replaced since: only say so "                  \
    "(default), "                                                                                         \
    "or make a task\n        more of what it is now\n"                                                    \
    "  --parallel N\n        objects that are copied at once, 1 to 64 (default: 8)\n"                     \
    "  --allow-private\n        the service may be at a private address, and without https\n"             \
    "  --dry-run\n        only say what is new\n"

#define ERASE_HELP                                                                                 \
    "What a person asks for with article 17 of the GDPR. The content goes for good, out of "       \
    "rows,\n"                                                                                      \
    "packs and media; what happened stays, with times, numbers and hashes. annotate-upkeep "       \
    "carries\n"                                                                                    \
    "an order out; this command waits for it and prints it as a line of JSON. See "                \
    "docs/storage.md.\n\n"                                                                         \
    "  task ID     its data, all versions of its label, drafts, comments, media of no other "      \
    "task\n"                                                                                       \
    "  person ID   who they were, their logins, drafts, late work and comments; the labels that\n" \
    "              they handed in stay, as those of \"erased user ID\"\n"                          \
    "  show ID     an order, and how far it is\n"                                                  \
    "  list        orders: yours, or, for an administrator, all\n\n"                               \
    "  --reason TEXT\n        why; stays in the history\n"                                         \
    "  --labels\n        of a person: the labels that they handed in, too\n"                       \
    "  --force\n        also what a protected release holds; it keeps its root\n"                  \
    "  --dry-run\n        only count what would go\n"                                              \
    "  --yes\n        do it; without it what would go is counted, with exit status 2\n"            \
    "  --no-wait\n        print the order and leave it to annotate-upkeep\n"

#define WORKFLOW_HELP                                                                              \
    "Prints the one table of legal moves of a task, from which the server decides, the database\n" \
    "checks and the documentation draws.\n\n"                                                      \
    "  --dot\n        as a graph for Graphviz: annotate workflow --dot | dot -Tsvg > w.svg\n"      \
    "  --sql\n        as the condition of the event table's CHECK\n"                               \
    "  --table\n        from, action, to, and whether the task's version grows, a line each\n"

const struct command commands[] = {
    {"migrate", "[--dry-run | --status]", "Bring the database to this version", MIGRATE_HELP,
        cmd_migrate},
    {"tenant", "create NAME [--if-missing] | list | quota NAME | delete NAME --yes",
        "Make, list and delete tenants", TENANT_HELP, cmd_tenant},
    {"user",
        "create --tenant NAME --email ADDRESS --name NAME [--admin]\n"
        "           [--password-file FILE | --no-password] [--if-missing]\n"
        "       annotate user password --tenant NAME --email ADDRESS\n"
        "           [--password-file FILE | --no-password]\n"
        "       annotate user list --tenant NAME",
        "Make and list users, set passwords", USER_HELP, cmd_user},
    {"token",
        "create --tenant NAME --email ADDRESS --name NAME --out FILE\n"
        "       annotate token list --tenant NAME\n"
        "       annotate token revoke --tenant NAME ID",
        "Make, list and revoke API tokens", TOKEN_HELP, cmd_token},
    {"import",
        "--project ID [--field NAME] [--parallel N] PATH\n"
        "       annotate import --project ID --format FORMAT [--split NAME] [--map OLD=NEW,…]\n"
        "           [--as annotations|predictions] [--model NAME] [--errors refuse|skip]\n"
        "           PATH | --from s3:https://HOST/BUCKET[/PREFIX][?region=REGION] "
        "[--allow-private]",
        "Import tasks, images or data sets", IMPORT_HELP, cmd_import},
    {"label",
        "list --task ID [--json]\n"
        "       annotate label show ID\n"
        "       annotate label diff A B [--json]\n"
        "       annotate label blame --task ID [--label ID] [--json]\n"
        "       annotate label restore ID",
        "List, compare, blame and restore versions of a label", LABEL_HELP, cmd_label},
    {"release",
        "create --project ID --name NAME [--split NAME=SHARE,…]\n"
        "           [--salt TEXT] [--filter JSON] [--group-by PATH] [--pin-by PATH]\n"
        "           [--description TEXT] [--licence TEXT] [--unprotected] [--wait]\n"
        "       annotate release list --project ID\n"
        "       annotate release diff A B [--json]\n"
        "       annotate release card ID [--people] [--json]\n"
        "       annotate release show | protect | unprotect | delete ID",
        "Cut, show, compare and keep dataset releases", RELEASE_HELP, cmd_release},
    {"export",
        "--release ID --format FORMAT --out FILE|- | --dir DIRECTORY\n"
        "           [--container KIND] [--media] [--labelled] [--job]",
        "Stream a release to a file", EXPORT_HELP, cmd_export},
    {"consume",
        "--kafka HOST:PORT | --file DIRECTORY\n"
        "           --topic NAME [--follow] | --verify",
        "Read the stream of events, labels and releases", CONSUME_HELP, cmd_consume},
    {"storage",
        "copy --from SPEC --to SPEC\n"
        "       annotate storage gc [--dry-run] [--grace SECONDS]\n"
        "       annotate storage scrub [--rate BYTES] [--once]\n"
        "       annotate storage status",
        "Keep the blob storage", STORAGE_HELP, cmd_storage},
    {"sync",
        "--project ID --from s3:https://HOST/BUCKET[/PREFIX][?region=REGION]\n"
        "           [--match GLOB] [--field NAME] [--changed report|new] [--parallel N]\n"
        "           [--allow-private] [--dry-run]",
        "Make tasks of what is new in a bucket", SYNC_HELP, cmd_sync},
    {"erase",
        "task ID --reason TEXT [--force] [--dry-run | --yes] [--no-wait]\n"
        "       annotate erase person ID --reason TEXT [--labels] [--force] [--dry-run | "
        "--yes]\n"
        "           [--no-wait]\n"
        "       annotate erase show ID | list",
        "Erase a task's or a person's content for good", ERASE_HELP, cmd_erase},
    {"workflow", "--dot | --sql | --table", "Print the workflow", WORKFLOW_HELP, cmd_workflow},
    {NULL, NULL, NULL, NULL, NULL},
};

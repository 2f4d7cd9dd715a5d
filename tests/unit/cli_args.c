/* The command line of `annotate`: options in any order, and refusal of what is wrong. The tool is a
 * program and no library, so its two files are compiled in here. */
#include "cli/args.c"
#include "cli/say.c"
#include "t.h"

enum { REFUSED = -1 };

static struct {
    const char *name;
    int64_t project;
    bool wait;
} got;
static char *args[8]; /* the positional ones are in here afterwards */

/* Reads a command line of up to 7 words behind the command's name; 0..2 positional arguments. */
static int read_words(const char *line)
{
    static char text[256];
    const struct opt opts[] = {{"name", .text = &got.name},
        {"project", .number = &got.project, .required = true}, {"wait", .flag = &got.wait}};
    int n = 0;

    memset(&got, 0, sizeof(got));
    snprintf(text, sizeof(text), "import %s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        args[n++] = word;
    return args_read(n, args, opts, ARRAY_LEN(opts), 0, 2);
}

static void quiet(void)
{
    REQUIRE(freopen("/dev/null", "w", stderr) != NULL);
}

TEST(cli_args_any_order)
{
    CHECK_INT(read_words("--project 7"), 0);
    CHECK_INT(got.project, 7);
    CHECK(!got.wait && !got.name);

    CHECK_INT(read_words("a --wait --name=x=y b --project=9007199254740991"), 2);
    CHECK_INT(got.project, 9007199254740991);
    CHECK(got.wait);
    CHECK_STR(str_of(got.name), STR("x=y"));
    CHECK_STR(str_of(args[1]), STR("a"));
    CHECK_STR(str_of(args[2]), STR("b"));

    CHECK_INT(read_words("--project 0 -- --wait"), 1);
    CHECK(!got.wait);
    CHECK_STR(str_of(args[1]), STR("--wait"));

    CHECK_INT(read_words("--project 1 --name -- a"), 1); /* the value of --name, not the end */
    CHECK_STR(str_of(got.name), STR("--"));
    CHECK_INT(read_words("--project 1 -"), 1);
}

TEST(cli_args_wrong)
{
    static const char *const wrong[] = {"", "a", "--project", "--project=", "--project x",
        "--project -1", "--project 1x", "--project 99999999999999999999", "--project 1 --wait=yes",
        "--project 1 --nam x", "--project 1 --names x", "--project 1 --name", "--project 1 a b c",
        "--project 1 --", "--=1 --project 1"};

    quiet();
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        int n = read_words(wrong[i]);
        /* `--` alone is no mistake: nothing follows it. */
        int want = strcmp(wrong[i], "--project 1 --") == 0 ? 0 : REFUSED;
        if (n != want)
            t_fail(__FILE__, __LINE__, "«%s» was read as %d", wrong[i], n);
    }
}

static int run_verb(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[0], "list") == 0 && strcmp(argv[1], "x") == 0 ? 42 : 1;
}

TEST(cli_args_verbs)
{
    static const struct verb verbs[] = {{"create", run_verb}, {"list", run_verb}};
    char *line[] = {(char[]){"tenant"}, (char[]){"list"}, (char[]){"x"}, NULL};
    char *unknown[] = {(char[]){"tenant"}, (char[]){"lis"}, NULL};

    quiet();
    CHECK_INT(args_verb(3, line, verbs, 2), 42);
    CHECK_INT(args_verb(2, unknown, verbs, 2), 2);
    CHECK_INT(args_verb(1, unknown, verbs, 2), 2);
}

TEST(cli_args_distance)
{
    CHECK_INT(args_distance("", ""), 0);
    CHECK_INT(args_distance("import", "import"), 0);
    CHECK_INT(args_distance("imprt", "import"), 1);
    CHECK_INT(args_distance("imporrt", "import"), 1);
    CHECK_INT(args_distance("inport", "import"), 1);
    CHECK_INT(args_distance("", "import"), 6);
    CHECK_INT(args_distance("export", "import"), 2);
    CHECK(args_distance("an-overly-long-name-of-33-letters", "import") > 1000);
}

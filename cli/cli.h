/* The command-line tool `annotate`: one file a command, one row of commands[] (main.c) each.
 * Commands print results on stdout, progress and errors on stderr, and return an exit status: 0
 * done, 1 failed, 2 wrong usage. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

struct command {
    const char *name;                  /* "consume" */
    const char *args;                  /* "--topic NAME [--from beginning|end]" */
    const char *summary;               /* one line for `annotate --help` */
    const char *help;                  /* the man-page-grade text of `annotate NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

int cmd_migrate(int argc, char **argv);
int cmd_tenant(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_label(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_erase(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_consume(int argc, char **argv);
int cmd_storage(int argc, char **argv);
int cmd_sync(int argc, char **argv);
int cmd_workflow(int argc, char **argv);

#endif

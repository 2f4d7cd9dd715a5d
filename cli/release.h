/* The verbs of `annotate release` that have a file of their own. */
#ifndef CLI_RELEASE_H
#define CLI_RELEASE_H

int release_diff(int argc, char **argv);
int release_card(int argc, char **argv);

#endif

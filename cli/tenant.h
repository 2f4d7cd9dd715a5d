/* `annotate tenant delete` and `quota`, verbs of cli/tenant.c. */
#ifndef CLI_TENANT_H
#define CLI_TENANT_H

/* argv[0] is the verb. Returns an exit status. */
int tenant_delete(int argc, char **argv);
int tenant_quota(int argc, char **argv);

#endif

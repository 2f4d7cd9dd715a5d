/* Ready-made projects: a label config and workflow settings under a name. */
#ifndef API_TEMPLATES_H
#define API_TEMPLATES_H

#include "annotate-server/http/request.h"

struct template
{
    const char *name, *title, *label_config, *workflow; /* workflow: JSON, as project.workflow */
};

extern const struct template templates[];
extern const size_t template_count;

/* Sets what the template of that name says; the request's own members may replace it after. false:
 * answered 422. */
bool template_apply(struct req *r, struct str name, struct str *label_config, struct str *workflow);

#endif

/* Every label config of Label Studio's public set of templates is read, and what it asks of a task
 * and of a result is found in it. */
#include <dirent.h>
#include <stdlib.h>

#include "core/json_tree.h"
#include "core/label_config.h"
#include "t.h"

enum { TEMPLATES = 69 };

static void read_file(const char *name, struct buf *out)
{
    char path[1024];
    char part[4096];
    FILE *f;

    snprintf(path, sizeof(path), TEST_DATA "/templates/%s", name);
    f = fopen(path, "r");
    if (!f) {
        t_fail(__FILE__, __LINE__, "%s: cannot be opened", path);
        return;
    }
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
        buf_add(out, part, n);
    fclose(f);
}

static void check_template(const char *name)
{
    struct label_config *c = NULL;
    char why[LABEL_CONFIG_WHY];
    struct json_object *json = NULL;
    struct buf xml, text;

    buf_init(&xml, 1 << 20);
    buf_init(&text, 1 << 20);
    read_file(name, &xml);
    if (label_config_parse(buf_view(&xml), &c, why)) {
        t_fail(__FILE__, __LINE__, "%s: %s", name, why);
    } else {
        CHECK(c->objects && c->ncontrols > 0);
        label_config_json(c, &text);
        CHECK_INT(json_tree_parse(buf_view(&text), JSON_DEPTH_MAX, &json, NULL), ERR_OK);
    }
    json_object_put(json);
    label_config_free(c);
    buf_release(&xml);
    buf_release(&text);
}

TEST(templates_of_label_studio)
{
    DIR *d = opendir(TEST_DATA "/templates");
    int n = 0;

    REQUIRE(d != NULL);
    for (struct dirent *e; (e = readdir(d));) {
        if (!strstr(e->d_name, ".xml"))
            continue;
        check_template(e->d_name);
        n++;
    }
    closedir(d);
    CHECK_INT(n, TEMPLATES);
}

/* Owns `annotate workflow`: the workflow table of core/workflow.def, printed. Holds no copy of it.
 */
#include "core/workflow.h"

#include <stdio.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"

static void table(struct buf *out)
{
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int action = 0; action < ACTION_COUNT; action++)
            for (int to = 0; to < TASK_STATE_COUNT; to++)
                if (workflow_legal((enum task_state)from, (enum action)action, (enum task_state)to))
                    buf_printf(out, "%s\t%s\t%s\t%s\n", task_state_name((enum task_state)from),
                        action_name((enum action)action), task_state_name((enum task_state)to),
                        workflow_moves((enum action)action) ? "move" : "stay");
}

int cmd_workflow(int argc, char **argv)
{
    bool dot = false, sql = false, plain = false;
    const struct opt opts[] = {
        {"dot", .flag = &dot}, {"sql", .flag = &sql}, {"table", .flag = &plain}};
    struct buf out;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (dot + sql + plain != 1)
        return misuse("workflow", "give one of --dot, --sql and --table.");
    buf_init(&out, BUF_MAX_JSON);
    if (dot)
        workflow_dot(&out);
    else if (sql)
        workflow_check_sql(&out);
    else
        table(&out);
    struct str text = buf_view(&out);
    int status = buf_err(&out) || fwrite(text.p, 1, text.n, stdout) != text.n;
    buf_release(&out);
    return status ? fail("the table could not be written.") : 0;
}

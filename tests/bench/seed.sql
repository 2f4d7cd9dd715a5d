-- One tenant, one project with single-choice labels and no review, 1024 annotators, :tasks open tasks.
SET app.tenant = '1';
INSERT INTO tenant (name) VALUES ('bench');
INSERT INTO app_user (tenant_id, email, name) SELECT 1, 'u' || i || '@bench.test', 'u' || i FROM generate_series(1, 1024) i;
INSERT INTO project (tenant_id, name, workflow, salt, created_by) VALUES (1, 'bench', '{"review":{"mode":"none"}}', 1, 1);
INSERT INTO label_config (tenant_id, project_id, version, xml, created_by) VALUES (1, 1, 1,
    '<View><Image name="image" value="$image"/><Choices name="item" toName="image"><Choice value="A"/><Choice value="B"/></Choices></View>', 1);
INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by) SELECT 1, 1, id, 'annotator', 1 FROM app_user;
INSERT INTO task (tenant_id, project_id, state, data)
    SELECT 1, 1, 'annotate', json_build_object('image', '/v1/assets/' || md5(i::text)) FROM generate_series(1, :tasks) i;
INSERT INTO assignment (tenant_id, project_id, task_id, stage, opened) SELECT 1, 1, id, 'annotate', NULL FROM task ORDER BY id; -- as an import does
INSERT INTO counter (tenant_id, project_id, name, delta) VALUES (1, 1, 'task.annotate', :tasks), (1, 1, 'action.import', :tasks);

-- A project's inspections and defects: first of all (author 0), then a page of authors.
-- users: server
(SELECT 0, coalesce(sum(inspected), 0)::bigint, coalesce(sum(defective), 0)::bigint
 FROM qa_check WHERE project_id = $1::bigint AND author = 0)
UNION ALL
(SELECT author, sum(inspected)::bigint, sum(defective)::bigint
 FROM qa_check WHERE project_id = $1 AND author > $2::bigint GROUP BY author ORDER BY author LIMIT $3::int)

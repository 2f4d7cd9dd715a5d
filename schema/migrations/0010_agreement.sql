-- Which versions a merge was made of; `parent` is the one that came last (or, of a merge of late work, the label it was joined with).
ALTER TABLE label_version ADD COLUMN merged_from bigint[];

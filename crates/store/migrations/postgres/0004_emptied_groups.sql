-- Groups that were deleted while they had very many members: the rows in `members` are removed a few at a time.
CREATE TABLE emptied_groups (
  tenant   BIGINT NOT NULL,
  group_id UUID NOT NULL,
  PRIMARY KEY (tenant, group_id)
);

-- Whether an object is out of scope and nothing switches its account off or removes it; known from the next look on.
ALTER TABLE links ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
-- Who left the scope while nothing switched the account off was let go like one whose account is off. The log tells them apart: the
-- newest of its records that matter says that the account stayed as it was. One that was written matters, and so does one that was read
-- and found off. The log goes back as far as log_days: who was let go before stays as one whose account is off.
UPDATE links SET state = 7, kept = 1
WHERE state = 5 AND EXISTS (
  SELECT 1 FROM provisioning_logs kept
  WHERE kept.app = links.app AND kept.source_id = links.source_id AND kept.kind = links.kind AND kept.status = 'skipped'
    AND (kept.doc LIKE '%no mapping of IsSoftDeleted switches accounts off%' OR kept.doc LIKE '%the job does not allow Update%')
    AND NOT EXISTS (
      SELECT 1 FROM provisioning_logs later
      WHERE later.app = kept.app AND later.source_id = kept.source_id AND later.id > kept.id AND later.kind = kept.kind
        AND (later.status = 'success'
          OR later.status = 'skipped' AND later.doc LIKE '%The account was read from the target%'
            AND later.doc NOT LIKE '%no mapping of IsSoftDeleted switches accounts off%'
            AND later.doc NOT LIKE '%the job does not allow Update%')
    )
);

-- What a tenant's streams of events read (events_after): a tenant's newest events by transaction, however much the others write. Most
-- transactions write many events under one xid, which the index keeps once.
CREATE INDEX event_tenant ON event (tenant_id, xid);

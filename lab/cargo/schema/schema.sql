-- The cargo's tables. Each has a primary key, so that logical replication can carry updates of it.

CREATE TABLE IF NOT EXISTS readings (
	device text             NOT NULL,
	seq    bigint           NOT NULL,
	at     timestamptz      NOT NULL,
	value  double precision NOT NULL,
	world  text             NOT NULL DEFAULT 'none', -- where the ingest ran that wrote it
	PRIMARY KEY (device, seq)
);
CREATE INDEX IF NOT EXISTS readings_at ON readings (at, device, seq);

-- One row for each reading, in the order in which they were written.
CREATE TABLE IF NOT EXISTS events (
	id     bigserial PRIMARY KEY,
	device text   NOT NULL,
	seq    bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS rollups (
	span_start timestamptz NOT NULL,
	device     text        NOT NULL,
	readings   bigint      NOT NULL,
	mean       double precision NOT NULL,
	low        double precision NOT NULL,
	high       double precision NOT NULL,
	PRIMARY KEY (span_start, device)
);

-- One row for each run of the job, also of those that should not have been. A run that ended without saying so was last
-- alive at seen.
CREATE TABLE IF NOT EXISTS rollup_runs (
	id         text PRIMARY KEY,
	span_start timestamptz NOT NULL,
	span_end   timestamptz NOT NULL,
	world      text NOT NULL,
	host       text NOT NULL,
	version    text NOT NULL,
	started    timestamptz NOT NULL DEFAULT clock_timestamp(),
	seen       timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished   timestamptz
);

-- What the notifier sent. A consumer cannot send an event twice; two consumers can, and that is what is looked for.
CREATE TABLE IF NOT EXISTS notifications (
	event_id bigint NOT NULL,
	consumer text   NOT NULL,
	nth      bigint NOT NULL, -- the consumer's own count
	world    text   NOT NULL,
	at       timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (event_id, consumer)
);

CREATE TABLE IF NOT EXISTS offsets (
	name     text PRIMARY KEY,
	position bigint NOT NULL
);

-- From when until when each consumer was alive; stopped says that it ended by itself, else until is its last heartbeat.
CREATE TABLE IF NOT EXISTS consumers (
	id      text PRIMARY KEY,
	world   text NOT NULL,
	host    text NOT NULL,
	since   timestamptz NOT NULL DEFAULT clock_timestamp(),
	until   timestamptz NOT NULL DEFAULT clock_timestamp(),
	stopped boolean NOT NULL DEFAULT false
);

"""The doctor's page: wanted, built by a job, sent by the outbox."""

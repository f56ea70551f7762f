"""kopf's edge: watch events become keys on the queue, and nothing else happens here."""

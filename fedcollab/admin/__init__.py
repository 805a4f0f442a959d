"""What admins do: partners, queues, the record."""

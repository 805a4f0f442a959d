"""Who may see, receive and do what: label plus named list, read by pages and deliveries alike."""

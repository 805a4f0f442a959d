"""How nodes talk: documents, signatures, partners, inbox, outbox and deliveries; knows nothing of any one feature."""

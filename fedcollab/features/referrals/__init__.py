"""Referrals: a person is handed over to another organisation, asked first, with what they may know and no more."""

"""The status report: one look at everything, in the order a person on call needs it."""

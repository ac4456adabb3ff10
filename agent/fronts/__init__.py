"""Where people are: each front speaks events and knows nothing below the assistant."""

"""From typed pieces of a request to the arguments of a tool."""

"""Tools of other people's MCP servers, as far as steward.yaml names them."""

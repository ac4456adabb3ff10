"""Where deployments and jobs live. One SDK each, alone in its file; they do not know each other."""

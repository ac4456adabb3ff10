"""The parts of a summary, one file each: collect, judge, say."""

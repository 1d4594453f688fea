"""What a deployment changes, for people and for programs: the tree, the live view, the lines of JSON."""

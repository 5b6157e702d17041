"""What both programs owe the people and scripts that operate them: exit codes, output, errors and settings files."""

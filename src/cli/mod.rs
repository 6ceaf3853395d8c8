//! The command line: what was typed becomes what was meant, rooms are wired, errors become text.

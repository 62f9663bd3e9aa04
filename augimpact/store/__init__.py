"""Training sets: kept in parts on a disk, listed in a catalogue, shared by a server, used as any other dataset."""

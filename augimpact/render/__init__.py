"""Arrays in; pictures and animations out."""

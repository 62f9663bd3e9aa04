"""An image and settings in, frames and their homographies out."""

"""The portfolio as one HTML file: frames in, models of plots, SVG, page."""

"""Pages for everybody: published issues, the feed, pictures."""

"""What comes back: bounces and complaints, whose they are, and what follows."""

"""Random faults in everything at once while load goes on: what must hold, holds."""

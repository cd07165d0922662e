"""Deploys: how new code proves itself, becomes active, fails or is rolled back. Pure."""

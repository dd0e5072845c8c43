"""Tablets that stay signed in to those they are for."""

"""The check before a deployment shifts traffic: can the new versions reach what they need?"""

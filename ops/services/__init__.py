"""The processes of the server: which run, since when, how often they came back, and what they last said."""

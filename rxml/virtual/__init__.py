"""Virtual time: an asyncio loop in which waiting takes no time, or less than it says. Tests run on it, and replays."""

"""The simulated QUICPay+-like centre: its terminals, its taps and their messages."""

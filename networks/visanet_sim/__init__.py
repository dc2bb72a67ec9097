"""The simulated VisaNet-like network: what it carries and the messages it is made of."""

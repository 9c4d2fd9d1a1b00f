"""Another world behind the same ports, with a ground truth that the controllers never see."""

"""Pictures as numbers: each module turns a part of the result into geometry, which the templates draw as inline SVG.

All are 960 units wide with text of 18 units, which is 13 px when the picture is 700 px wide. Geometry is attributes,
colour is classes, and nothing is told by colour alone.
"""

WIDTH = 960
TEXT = 18

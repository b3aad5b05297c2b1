from . import similar_products
from . import sequence_step

from . import indexes
from . import revenue
from . import daily_figure
from . import dashboard
from . import dashboard_records
from . import dashboard_tables
from . import dashboard_setup
from . import dashboard_export

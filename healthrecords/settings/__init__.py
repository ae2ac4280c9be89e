"""The settings, one module per subject. `.env.example` explains every HEALTHCARE_ name."""

from .access import *
from .admin import *
from .audit import *
from .backup import *
from .cache import *
from .core import *
from .crypto import *
from .database import *
from .fhir import *
from .guessing import *
from .logs import *
from .mail import *
from .monitoring import *
from .oauth import *
from .outgoing import *
from .scanning import *
from .sign_in import *
from .storage import *
from .tasks import *
from .web import *

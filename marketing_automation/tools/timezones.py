"""Facts: the time zones of countries and states that have more than one.

From the tz database's ``zone.tab`` (``pytz.country_timezones`` knows the same zones,
not their states), with the codes that Odoo ships in ``res.country.state.csv``. A state
with two zones is listed with that of most of its people.
"""


def _by_state(zones):
    """``zone -> its states, separated by blanks`` as ``state -> zone``."""
    return {state: zone for zone, states in zones.items() for state in states.split()}


# The zone of most people of a country. Also countries that the tz database lacks.
MAIN_ZONES = {
    "AQ": "Antarctica/McMurdo",
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Lubumbashi",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Chuuk",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "UM": "Pacific/Wake",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
    "XI": "Europe/London",
    "XK": "Europe/Belgrade",
}

# Older names of zones, which Odoo offers too and country lists leave out.
OLD_PREFIXES = {
    "AU": "Australia/",
    "BR": "Brazil/",
    "CA": "Canada/",
    "CL": "Chile/",
    "MX": "Mexico/",
    "US": "US/",
}

# A state that is not listed has the main zone of its country; countries whose states
# all keep the same time are not listed either.
STATE_ZONES = {
    "AU": _by_state(
        {
            "Australia/Sydney": "ACT NSW",
            "Australia/Melbourne": "VIC",
            "Australia/Brisbane": "QLD",
            "Australia/Hobart": "TAS",
            "Australia/Adelaide": "SA",
            "Australia/Darwin": "NT",
            "Australia/Perth": "WA",
        }
    ),
    "BR": _by_state(
        {
            "America/Sao_Paulo": "DF ES GO MG PR RJ RS SC SP",
            "America/Bahia": "BA",
            "America/Maceio": "AL SE",
            "America/Recife": "PE",
            "America/Fortaleza": "CE MA PB PI RN",
            "America/Belem": "AP PA",
            "America/Araguaina": "TO",
            "America/Cuiaba": "MT",
            "America/Campo_Grande": "MS",
            "America/Manaus": "AM",
            "America/Porto_Velho": "RO",
            "America/Boa_Vista": "RR",
            "America/Rio_Branco": "AC",
        }
    ),
    "CA": _by_state(
        {
            "America/St_Johns": "NL",
            "America/Halifax": "NS PE",
            "America/Moncton": "NB",
            "America/Toronto": "ON QC",
            "America/Iqaluit": "NU",
            "America/Winnipeg": "MB",
            "America/Regina": "SK",
            "America/Edmonton": "AB NT",
            "America/Vancouver": "BC",
            "America/Whitehorse": "YT",
        }
    ),
    "CL": _by_state(
        {
            "America/Santiago": "CL-AN CL-AP CL-AR CL-AT CL-BI CL-CO CL-LI CL-LL "
            "CL-LR CL-ML CL-NB CL-RM CL-TA CL-VS",
            "America/Coyhaique": "CL-AI",
            "America/Punta_Arenas": "CL-MA",
        }
    ),
    "ES": _by_state(
        {
            "Europe/Madrid": "A AB AL AV B BA BI BU C CA CC CO CR CS CU GI GR GU H HU "
            "J L LE LO LU M MA MU NA O OR P PM PO S SA SE SG SO SS T TE TO V VA VI Z "
            "ZA",
            "Africa/Ceuta": "CE ME",
            "Atlantic/Canary": "GC TF",
        }
    ),
    "ID": _by_state(
        {
            "Asia/Jakarta": "AC BB BE BT JA JB JI JK JT KR LA RI SB SS SU YO",
            "Asia/Pontianak": "KB KT",
            "Asia/Makassar": "BA GO KI KS KU NB NT SA SG SN SR ST",
            "Asia/Jayapura": "MA MU PA PB PD PE PS PT",
        }
    ),
    "MN": _by_state(
        {
            "Asia/Ulaanbaatar": "01 03 04 05 06 07 08 09 10 11 12 13 14 17 18 19 20 "
            "23 24 25 26 27 28 29 32 34 35",
            "Asia/Hovd": "02 15 16",
        }
    ),
    "MX": _by_state(
        {
            "America/Mexico_City": "AGU CHP CMX COL GRO GUA HID JAL MEX MIC MOR OAX "
            "PUE QUE SLP TAB TLA VER ZAC",
            "America/Cancun": "ROO",
            "America/Merida": "CAM YUC",
            "America/Monterrey": "COA DUR NLE",
            # Most of its people live at the border, which follows Texas.
            "America/Matamoros": "TAM",
            "America/Chihuahua": "CHH",
            "America/Mazatlan": "BCS NAY SIN",
            "America/Hermosillo": "SON",
            "America/Tijuana": "BCN",
        }
    ),
    "PT": _by_state(
        {
            "Europe/Lisbon": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18",
            "Atlantic/Azores": "20",
            "Atlantic/Madeira": "30",
        }
    ),
    "RU": _by_state(
        {
            "Europe/Kaliningrad": "KGD",
            "Europe/Moscow": "AD ARK BEL BRY CE CU DA IN IVA KB KC KDA KL KLU KO KOS "
            "KR KRS LEN LIP ME MO MOS MOW MUR NGR NIZ ORL PNZ PSK ROS RYA SE SMO SPE "
            "STA TA TAM TUL TVE VLA VLG VOR YAR",
            "Europe/Kirov": "KIR",
            "Europe/Volgograd": "VGG",
            "Europe/Astrakhan": "AST",
            "Europe/Saratov": "SAR",
            "Europe/Ulyanovsk": "ULY",
            "Europe/Samara": "SAM UD",
            "Asia/Yekaterinburg": "BA CHE KGN KHM ORE PER SVE TYU YAN",
            "Asia/Omsk": "OMS",
            "Asia/Novosibirsk": "NVS",
            "Asia/Barnaul": "AL ALT",
            "Asia/Tomsk": "TOM",
            "Asia/Novokuznetsk": "KEM",
            "Asia/Krasnoyarsk": "KK KYA TY",
            "Asia/Irkutsk": "BU IRK",
            "Asia/Chita": "ZAB",
            "Asia/Yakutsk": "AMU SA",
            "Asia/Vladivostok": "KHA PRI YEV",
            "Asia/Magadan": "MAG",
            "Asia/Sakhalin": "SAK",
            "Asia/Kamchatka": "KAM",
            "Asia/Anadyr": "CHU",
        }
    ),
    "US": _by_state(
        {
            "America/New_York": "CT DC DE FL GA KY MA MD ME NC NH NJ NY OH PA RI SC VA "
            "VT WV",
            "America/Detroit": "MI",
            "America/Indiana/Indianapolis": "IN",
            "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
            "America/Denver": "CO MT NM UT WY",
            "America/Boise": "ID",
            "America/Phoenix": "AZ",
            "America/Los_Angeles": "CA NV OR WA",
            "America/Anchorage": "AK",
            "Pacific/Honolulu": "HI",
            # Territories, and states in association that are countries, too.
            "America/Puerto_Rico": "PR",
            "America/St_Thomas": "VI",
            "Pacific/Guam": "GU",
            "Pacific/Saipan": "MP",
            "Pacific/Pago_Pago": "AS",
            "Pacific/Palau": "PW",
            "Pacific/Chuuk": "FM",
            "Pacific/Majuro": "MH",
            # Military post: where most of those stationed abroad are. That to the
            # Americas (AA) has the country's main zone.
            "Europe/Berlin": "AE",
            "Asia/Tokyo": "AP",
        }
    ),
}

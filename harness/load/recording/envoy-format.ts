import { checkFormat, type FieldRole, type LineFormat, partsOf } from './line-format.ts';
import { isoTime } from './log-time.ts';
import { strftimeTime } from './strftime.ts';

const HEAD =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS%';
const TAIL =
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" ' +
  '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"';

const NAMED: Record<string, string> = {
  default: `${HEAD} ${TAIL}`,
  istio:
    `${HEAD} %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" ${TAIL} ` +
    '%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% ' +
    '%REQUESTED_SERVER_NAME% %ROUTE_NAME%',
};

const OPERATOR = /%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::\d+)?%/g;

/** Envoy's access log format string, or `default` or `istio`. Its times are of the request's start. */
export function envoyFormat(text: string): LineFormat {
  const bare = text.replace(/(?:\\n|\n)$/, '');
  const named = NAMED[bare.trim()];
  return checkFormat({
    from: 'envoy',
    title: `envoy ${named === undefined ? 'format' : bare.trim()}`,
    parts: partsOf(named ?? bare, OPERATOR, ([whole, operator, argument]) => ({
      name: whole,
      role: roleOf(operator!, argument),
    })),
    escapes: 'none',
    stamped: 'start',
    syslog: false,
  });
}

function roleOf(operator: string, argument: string | undefined): FieldRole {
  switch (operator) {
    case 'START_TIME':
      return { is: 'time', read: argument === undefined || argument === '' ? isoTime() : strftimeTime(argument) };
    case 'REQ':
      return requestRole((argument ?? '').toLowerCase().split('?'));
    case 'RESP':
      return { is: 'answerHeader', name: (argument ?? '').toLowerCase().split('?')[0]! };
    case 'RESPONSE_CODE':
      return { is: 'status' };
    case 'DURATION':
      return { is: 'took', unitMs: 1 };
    case 'DOWNSTREAM_REMOTE_ADDRESS':
    case 'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT':
    case 'DOWNSTREAM_DIRECT_REMOTE_ADDRESS':
    case 'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT':
      return { is: 'address' };
    default:
      return { is: 'skip' };
  }
}

/** Two names: the second where the first is absent. */
function requestRole(names: string[]): FieldRole {
  if (names.includes(':path')) return { is: 'path' };
  if (names.includes(':method')) return { is: 'method' };
  if (names.includes(':authority')) return { is: 'host' };
  return { is: 'header', name: names[0]! };
}

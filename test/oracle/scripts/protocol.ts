// Requests that are not well-formed: the text of the error and whether the connection is closed.
// `#` lines send raw bytes and then read until the server closes.

export const protocolScripts: Readonly<Record<string, string>> = {
  'bad multibulk counts': `
    a# *abc\\r\\n
    b# *99999999999999999999\\r\\n
    c# *2147483648\\r\\n
    e= *0\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n
    e= *-1\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n
    e= *-10\\r\\nPING\\r\\n
    f# *\\r\\n
    g# * 1\\r\\n
    h# *1.5\\r\\n
    i# *+1\\r\\n
    j# *01\\r\\n
  `,
  'bad bulk lengths': `
    a# *1\\r\\n$-1\\r\\n
    b# *1\\r\\n$abc\\r\\n
    c# *1\\r\\n$536870913\\r\\n
    d# *1\\r\\n$99999999999999999999\\r\\n
    e# *1\\r\\n$\\r\\n
    f# *2\\r\\n$4\\r\\nECHO\\r\\n$-2\\r\\n
    g# *1\\r\\n:1\\r\\n
    h# *1\\r\\n4\\r\\nPING\\r\\n
    i# *1\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n
    j# *1\\r\\n\\r\\n
    k# *1\\r\\nPING\\r\\n
    l# *2\\r\\n$3\\r\\nGET\\r\\n\\xff1\\r\\nk\\r\\n
  `,
  'inline commands': `
    a= PING\\r\\n
    a= PING\\n
    a= \\r\\n\\r\\nPING\\r\\n
    a= \\n\\nPING\\n
    a= \\x20\\x20PING\\x20\\x20\\r\\n
    a= SET inline "a b\\x5cx41\\x5cn"\\r\\n
    a= GET inline\\r\\n
    a= SET inline 'it\\x5c's "quoted"'\\r\\n
    a= GET inline\\r\\n
    a= ECHO ""\\r\\n
    a= ECHO ''\\r\\n
    a= ECHO\\tx\\r\\n
    a= NOSUCH a\\r\\n
    a= DEL inline\\r\\n
    a= PING\\r\\r\\n
    a# ECHO "unbalanced\\r\\n
    b# ECHO 'unbalanced\\r\\n
    c# ECHO "a"b\\r\\n
    d# ECHO 'a'b\\r\\n
    f= $4\\r\\n
  `,
  'a bulk of wrong length is read as sent': `
    a= *1\\r\\n$4\\r\\nPINGxx*1\\r\\n$4\\r\\nPING\\r\\n
  `,
  'lengths with leading zeros and signs': `
    a= *1\\r\\n$+4\\r\\nPING\\r\\n
    b= *1\\r\\n$04\\r\\nPING\\r\\n
    c= *1\\r\\n$ 4\\r\\nPING\\r\\n
    d= *1\\r\\n$0\\r\\n\\r\\n
    e= *2\\r\\n$4\\r\\nECHO\\r\\n$0\\r\\n\\r\\n
  `,
  'HTTP requests are dropped': `
    a# GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n
    b# POST / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n
  `,
  'limits before authentication': `
    z: CONFIG SET requirepass sesame
    a# *11\\r\\n
    b# *2\\r\\n$16385\\r\\n
    c= *10\\r\\n$4\\r\\nPING\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n$1\\r\\na\\r\\n
    d# *4294967297\\r\\n
    z: CONFIG SET requirepass ""
  `,
};

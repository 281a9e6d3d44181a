// The API's reference page: Swagger UI over our own description, from our own server.
type Ui = (options: {url: string; dom_id: string; deepLinking: boolean; validatorUrl: null; tryItOutEnabled: boolean}) => unknown;

const ui = (globalThis as unknown as {SwaggerUIBundle: Ui}).SwaggerUIBundle;
ui({url: '/api/openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null, tryItOutEnabled: false});

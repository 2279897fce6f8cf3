//! One path with its methods: any other is answered 405 with the list of those there are.

use http::{HeaderValue, Method, StatusCode, header};
use poem::endpoint::BoxEndpoint;
use poem::error::MethodNotAllowedError;
use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response, Result, RouteMethod};

use super::problem::Problem;

/// The methods of one path. `HEAD` comes with `GET`, and `OPTIONS` says what there is.
pub(super) struct Methods {
    route: RouteMethod,
    allowed: Vec<Method>,
}

impl Methods {
    pub(super) fn get<E: IntoEndpoint>(endpoint: E) -> Self
    where
        E::Endpoint: 'static,
    {
        Self::none().and(Method::GET, endpoint)
    }

    pub(super) fn post<E: IntoEndpoint>(endpoint: E) -> Self
    where
        E::Endpoint: 'static,
    {
        Self::none().and(Method::POST, endpoint)
    }

    pub(super) fn delete<E: IntoEndpoint>(endpoint: E) -> Self
    where
        E::Endpoint: 'static,
    {
        Self::none().and(Method::DELETE, endpoint)
    }

    pub(super) fn and<E: IntoEndpoint>(mut self, method: Method, endpoint: E) -> Self
    where
        E::Endpoint: 'static,
    {
        if method == Method::GET {
            self.allowed.push(Method::HEAD);
        }
        self.allowed.push(method.clone());
        self.route = self.route.method(method, endpoint);
        self
    }

    pub(super) fn boxed(self) -> BoxEndpoint<'static, Response> {
        EndpointExt::boxed(self)
    }

    fn none() -> Self {
        Self { route: RouteMethod::new(), allowed: vec![Method::OPTIONS] }
    }

    fn allow(&self) -> HeaderValue {
        let names: Vec<&str> = self.allowed.iter().map(Method::as_str).collect();
        HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
    }
}

impl Endpoint for Methods {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let method = request.method().clone();
        if method == Method::OPTIONS {
            let response = Response::builder().status(StatusCode::NO_CONTENT);
            return Ok(response.header(header::ALLOW, self.allow()).finish());
        }
        match self.route.call(request).await {
            Err(error) if error.is::<MethodNotAllowedError>() => {
                let allow = self.allow();
                let list = allow.to_str().unwrap_or_default();
                let detail = format!("{method} is not possible here; this path knows {list}.");
                let status = StatusCode::METHOD_NOT_ALLOWED;
                let problem = Problem::new(status, "method_not_allowed", detail);
                Err(problem.with_header(header::ALLOW, allow).into())
            }
            result => result,
        }
    }
}

// Connect to WebSocket
const ws = new WebSocket('ws://localhost:8080/ws');

// Handle connection open
ws.onopen = function() {
    console.log('Connected to monitoring server');
    
    // Subscribe to specific updates
    ws.send(JSON.stringify({
        type: 'subscribe',
        filter: {
            types: ['system_status', 'alert'],
            alert_level: 'high'
        }
    }));
};

// Handle messages
ws.onmessage = function(event) {
    const message = JSON.parse(event.data);
    
    switch(message.type) {
        case 'system_status':
            updateSystemMetrics(message.data);
            break;
        case 'alert':
            showAlert(message.data);
            break;
    }
};

// Handle errors
ws.onerror = function(error) {
    console.error('WebSocket error:', error);
};

// Handle connection close
ws.onclose = function() {
    console.log('Disconnected from monitoring server');
    // Implement reconnection logic
};

// Keep connection alive
setInterval(() => {
    if (ws.readyState === WebSocket.OPEN) {
        ws.send(JSON.stringify({ type: 'ping' }));
    }
}, 30000);
